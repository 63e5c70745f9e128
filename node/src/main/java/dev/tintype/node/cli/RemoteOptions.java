package dev.tintype.node.cli;

import dev.tintype.node.NodeConfig;
import dev.tintype.node.NodeException;
import java.net.URI;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** For commands that only talk to a server. */
final class RemoteOptions {
  @Mixin ServerOptions server;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The server's folder (env TINTYPE_DATA; default ./data).")
  Path data;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The server's settings (env TINTYPE_CONFIG).")
  Path config;

  /** A client of the server, which must run. */
  ApiClient client() {
    NodeOptions options = new NodeOptions();
    options.data = data;
    options.config = config;
    NodeConfig settings = options.read();
    URI url =
        server
            .running(settings)
            .orElseThrow(
                () ->
                    new NodeException.Config(
                        "cli.no_server",
                        "No server runs for "
                            + settings.data().toAbsolutePath().normalize()
                            + ": start `tintype serve`, or name one with --server."));
    return new ApiClient(url, server.key(settings), server.trust(settings));
  }
}
