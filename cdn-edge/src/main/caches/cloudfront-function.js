// CloudFront Function (runtime 2.0) for "viewer request" of the behaviour /i/*: every browser has its own Accept,
// the edge knows three answers to it. The cache policy has Accept in its key, and the origin request policy sends it.
// docs/edge-caches.md has the whole setup.
function handler(event) {
  var request = event.request
  if (/\.auto$/.test(request.uri)) {
    var accept = request.headers.accept ? request.headers.accept.value : ''
    request.headers.accept = { value: smallest(accept) }
  } else {
    delete request.headers.accept
  }
  delete request.headers.cookie
  request.cookies = {}
  return request
}

// A format refused with q=0 does not count.
function smallest(accept) {
  var formats = ['image/avif', 'image/webp']
  for (var i = 0; i < formats.length; i++) {
    if (new RegExp(formats[i] + '(?!\\s*;\\s*q=0(\\.0*)?\\s*(,|$))', 'i').test(accept)) {
      return formats[i]
    }
  }
  return 'image/jpeg'
}
