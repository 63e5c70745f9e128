package dev.tintype.node.cli;

import dev.tintype.node.DataFolder;
import dev.tintype.node.NodeConfig;
import dev.tintype.node.NodeException;
import dev.tintype.node.http.ClientTrust;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import picocli.CommandLine.Option;

/** Which server a command talks to, and with which key. */
final class ServerOptions {
  @Option(
      names = "--server",
      paramLabel = "URL",
      description = "Server to use (env TINTYPE_SERVER; default: the one that runs for --data).")
  String server;

  @Option(
      names = "--api-key",
      paramLabel = "KEY",
      description = "Its key (env TINTYPE_API_KEY; on this machine: from the data folder).")
  String apiKey;

  @Option(
      names = "--cacert",
      paramLabel = "FILE",
      description =
          "PEM file of authorities whose certificates are believed (env TINTYPE_CACERT; default"
              + " those of Java, and this machine's own server).")
  Path cacert;

  /** Whom to believe; empty for the authorities that Java knows. */
  Optional<SSLContext> trust(NodeConfig config) {
    Optional<Path> named =
        Optional.ofNullable(cacert)
            .or(() -> Optional.ofNullable(System.getenv("TINTYPE_CACERT")).map(Path::of));
    if (named.isPresent()) {
      return named.map(ClientTrust::authorities);
    }
    boolean elsewhere = server != null || System.getenv("TINTYPE_SERVER") != null;
    return elsewhere ? Optional.empty() : config.tls().map(tls -> ClientTrust.exactly(tls.cert()));
  }

  /** The server that is named, or runs on this machine for the data folder. */
  Optional<URI> running(NodeConfig config) {
    Optional<String> named =
        Optional.ofNullable(server).or(() -> Optional.ofNullable(System.getenv("TINTYPE_SERVER")));
    if (named.isPresent()) {
      try {
        return Optional.of(new URI(named.get()));
      } catch (URISyntaxException e) {
        throw new NodeException.Config("cli.server", named.get() + " is no URL.");
      }
    }
    return DataFolder.serverUrl(config.data())
        .map(URI::create)
        .filter(url -> ApiClient.alive(url, trust(config)));
  }

  String key(NodeConfig config) {
    return Optional.ofNullable(apiKey)
        .or(() -> Optional.ofNullable(System.getenv("TINTYPE_API_KEY")))
        .or(() -> DataFolder.apiKey(config.data()))
        .orElseThrow(
            () ->
                new NodeException.Config(
                    "cli.api_key",
                    "No API key: give --api-key or TINTYPE_API_KEY, or name the server's folder"
                        + " with --data."));
  }
}
