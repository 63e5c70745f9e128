package dev.tintype.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.Tools;
import dev.tintype.edge.url.ImageFormat;
import io.vertx.core.json.JsonArray;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The scripts for CloudFront and Cloudflare reduce Accept to the format that the edge would choose;
 * nginx's and Varnish's own ways are in {@link CacheBehaviourTest}.
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

  @TempDir Path folder;

  @Test
  void theScriptsChooseAsTheEdgeDoes() throws Exception {
    Path node = Tools.need("node", "nodejs");
    Path caches = Path.of("src/main/caches").toAbsolutePath();
    Path script =
        Files.writeString(
            folder.resolve("run.mjs"),
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
                .formatted(caches, caches));
    JsonArray said =
        new JsonArray(
            Tools.run(
                List.of(node.toString(), script.toString(), new JsonArray(ACCEPTS).toString())));
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
}
