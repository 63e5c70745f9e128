package dev.tintype.perf.gpu;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** What was measured so far, in a file that is whole at any time: a run may be ended anywhere. */
record Results(Path file, ObjectNode root) {
  static final ObjectMapper JSON = new ObjectMapper();

  static Results to(Path file) {
    return new Results(file, JSON.createObjectNode());
  }

  void save() {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try {
      Files.writeString(part, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root));
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be written", e);
    }
  }
}
