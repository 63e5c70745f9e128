package dev.tintype.node.cli;

import dev.tintype.node.DataFolder;
import dev.tintype.node.NodeConfig;
import dev.tintype.node.NodeException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;
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
    return DataFolder.serverUrl(config.data()).map(URI::create).filter(ApiClient::alive);
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
