package dev.tintype.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.Tools;
import dev.tintype.edge.url.ImageFormat;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The scripts for CloudFront and Cloudflare reduce Accept to the format that the edge would choose;
 * nginx's and Varnish's own ways are in {@link CacheBehaviourTest}. They all look at {@code q} only
 * for 0: the edge ranks by it, the caches do not, so for a client that ranks AVIF or WebP lower
 * than something else they choose the smaller one all the same, which it reads too.
 */
final class NormalisersTest {
  private static final List<String> ACCEPTS =
      List.of(
          "",
          "*/*",
          "image/*",
          "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
          "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5",
          "IMAGE/AVIF",
          "image/avif;q=0,image/webp",
          "image/avif; q=0.0 ,image/webp;q=0,*/*",
          "image/avif;q=0.5",
          "image/webp;q=0.05, image/avif;q=0",
          "text/html,application/xhtml+xml");

  private static final Path CACHES = Path.of("src/main/caches").toAbsolutePath();

  @TempDir Path folder;

  /** What the scripts make of each Accept, a list for each script. */
  private JsonArray reduced(List<String> accepts) throws Exception {
    return run(
        """
        import { readFileSync } from 'node:fs'
        const accepts = JSON.parse(process.argv[2])
        const text = readFileSync('%s/cloudfront-function.js', 'utf8')
        const handler = new Function(text + '; return handler')()
        const front = accepts.map((accept) => handler({
          request: { uri: '/i/a/b/c.auto', headers: { accept: { value: accept } } }
        }).headers.accept.value)
        const { smallest } = await import('data:text/javascript,' + encodeURIComponent(
          readFileSync('%s/cloudflare-worker.js', 'utf8')))
        console.log(JSON.stringify([front, accepts.map(smallest)]))
        """
            .formatted(CACHES, CACHES),
        new JsonArray(accepts).toString());
  }

  private JsonArray run(String script, String... arguments) throws Exception {
    Path node = Tools.need("node", "nodejs");
    Path file = Files.writeString(folder.resolve("run.mjs"), script);
    List<String> command = new ArrayList<>(List.of(node.toString(), file.toString()));
    command.addAll(List.of(arguments));
    return new JsonArray(Tools.run(command));
  }

  @Test
  void theScriptsChooseAsTheEdgeDoes() throws Exception {
    JsonArray said = reduced(ACCEPTS);
    for (int which = 0; which < said.size(); which++) {
      for (int i = 0; i < ACCEPTS.size(); i++) {
        String token = said.getJsonArray(which).getString(i);
        assertThat(Set.of("image/avif", "image/webp", "image/jpeg")).contains(token);
        // To the edge, the token must mean what the browser's own header means.
        ImageFormat wanted = Negotiation.choose(ACCEPTS.get(i));
        assertThat(Negotiation.choose(token)).as(ACCEPTS.get(i)).isEqualTo(wanted);
      }
    }
  }

  /** docs/edge-caches.md says so. */
  @ParameterizedTest
  @CsvSource({
    "'image/avif;q=0.5,*/*',JPEG,image/avif",
    "'image/avif;q=0.5,image/webp',WEBP,image/avif"
  })
  void rankingByWeightIsTheEdgesAlone(String accept, ImageFormat edge, String caches)
      throws Exception {
    assertThat(Negotiation.choose(accept)).isEqualTo(edge);
    JsonArray said = reduced(List.of(accept));
    for (int which = 0; which < said.size(); which++) {
      assertThat(said.getJsonArray(which).getString(0)).isEqualTo(caches);
    }
  }

  /** Cloudflare's Worker from end to end, between a browser and an edge that are stubs. */
  @Test
  void theWorkerKeepsOneCopyPerFormatAndTellsTheBrowser() throws Exception {
    JsonArray steps =
        run(
            """
            import { readFileSync } from 'node:fs'
            const kept = new Map()
            globalThis.caches = { default: {
              match: async (key) => kept.get(key.url)?.clone(),
              put: async (key, answer) => { kept.set(key.url, answer) }
            } }
            let asked = []
            globalThis.fetch = async (what, init) => {
              asked.push({ url: String(what.url ?? what), passed: what instanceof Request,
                accept: init?.headers?.accept, redirect: init?.redirect })
              const path = new URL(what.url ?? what).pathname
              if (path.includes('moved')) {
                return new Response(null, { status: 301, headers: { location: '/i/there.auto' } })
              }
              const lifetime = path.includes('mine') ? 'private, max-age=60' : 'public, max-age=9'
              return new Response('as ' + init?.headers?.accept,
                { headers: { vary: 'Accept', 'cache-control': lifetime } })
            }
            const worker = (await import('data:text/javascript,' + encodeURIComponent(
              readFileSync('%s/cloudflare-worker.js', 'utf8')))).default
            const steps = []
            for (const [path, accept, method] of [
              ['/i/a.auto', 'image/avif,*/*', 'GET'], ['/i/a.auto', 'image/avif;q=1', 'GET'],
              ['/i/a.auto', 'image/webp', 'GET'], ['/i/a.auto', 'image/webp', 'GET'],
              ['/i/mine.auto', 'image/webp', 'GET'], ['/i/mine.auto', 'image/webp', 'GET'],
              ['/i/moved.auto', 'image/webp', 'GET'], ['/i/moved.auto', 'image/webp', 'GET'],
              ['/i/a.webp', 'image/webp', 'GET'], ['/i/a.auto?x', 'image/webp', 'GET'],
              ['/i/a.auto', 'image/webp', 'HEAD']
            ]) {
              asked = []
              const waiting = []
              const answer = await worker.fetch(
                new Request('https://p.example' + path, { method, headers: { accept } }), {},
                { waitUntil: (promise) => waiting.push(promise) })
              await Promise.all(waiting)
              steps.push({ status: answer.status, vary: answer.headers.get('vary'),
                location: answer.headers.get('location'), body: await answer.text(), asked })
            }
            console.log(JSON.stringify([...steps, [...kept.values()].map((each) => each.headers.get('vary'))]))
            """
                .formatted(CACHES));
    String[] bodies = {"as image/avif", "as image/avif", "as image/webp", "as image/webp"};
    for (int i = 0; i < bodies.length; i++) {
      JsonObject step = steps.getJsonObject(i);
      assertThat(step.getString("body")).isEqualTo(bodies[i]);
      assertThat(step.getString("vary")).as("step %d", i).isEqualTo("Accept");
      assertThat(step.getJsonArray("asked")).as("step %d", i).hasSize(i % 2 == 0 ? 1 : 0);
    }
    JsonObject first = steps.getJsonObject(0).getJsonArray("asked").getJsonObject(0);
    assertThat(first.getString("url")).isEqualTo("https://p.example/i/a.auto");
    assertThat(first.getString("redirect")).isEqualTo("manual");
    for (int i : new int[] {4, 5, 6, 7}) {
      assertThat(steps.getJsonObject(i).getJsonArray("asked")).as("step %d", i).hasSize(1);
    }
    for (int i : new int[] {6, 7}) {
      assertThat(steps.getJsonObject(i).getInteger("status")).isEqualTo(301);
      assertThat(steps.getJsonObject(i).getString("location")).isEqualTo("/i/there.auto");
    }
    for (int i : new int[] {8, 9, 10}) {
      JsonArray asked = steps.getJsonObject(i).getJsonArray("asked");
      assertThat(asked.getJsonObject(0).getBoolean("passed")).as("step %d", i).isTrue();
    }
    // What is kept is of one format.
    assertThat(steps.getJsonArray(11)).containsExactly(null, null);
  }
}
