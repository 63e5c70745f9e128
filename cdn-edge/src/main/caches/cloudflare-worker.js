// Cloudflare Worker on the route pictures.example.org/i/*. Cloudflare's own cache does not look at Vary, so auto URLs
// are kept here under one key per format. URLs that name their format need no Worker.
// docs/edge-caches.md has the whole setup.
export default {
  async fetch(request, env, context) {
    const url = new URL(request.url)
    if (request.method !== 'GET' || !url.pathname.endsWith('.auto') || url.search !== '') {
      return fetch(request)
    }
    const accept = smallest(request.headers.get('accept') || '')
    // The fragment never leaves this machine, a query would be refused by the edge: so the key is a name of its own.
    const key = new Request(`https://${url.hostname}/tintype-cache${url.pathname}/${accept}`, request)
    const kept = await caches.default.match(key)
    if (kept) {
      const answer = new Response(kept.body, kept)
      answer.headers.set('vary', 'Accept')
      return answer
    }
    // A redirect to the canonical URL is the browser's to follow: the picture has its own key there.
    const answer = await fetch(url, { headers: { accept }, redirect: 'manual', cf: { cacheEverything: false } })
    if (answer.status === 200 && !/private|no-store/.test(answer.headers.get('cache-control') || '')) {
      // The Cache API does not choose by Vary: the format is in the key, and the browser is told again above.
      const copy = new Response(answer.clone().body, answer)
      copy.headers.delete('vary')
      context.waitUntil(caches.default.put(key, copy))
    }
    return answer
  }
}

// A format refused with q=0 does not count.
export function smallest(accept) {
  for (const format of ['image/avif', 'image/webp']) {
    if (new RegExp(format + '(?!\\s*;\\s*q=0(\\.0*)?\\s*(,|$))', 'i').test(accept)) {
      return format
    }
  }
  return 'image/jpeg'
}
