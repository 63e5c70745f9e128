package dev.tintype.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.tintype.node.ModelShelf;
import dev.tintype.node.ModelShelf.Broken;
import dev.tintype.node.ModelShelf.Model;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Lists the models that this machine has. */
@Command(
    name = "models",
    description = "Lists the models in the models folder.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "The exit code is 1 where no model can be used.",
      "",
      "Examples:",
      "  tintype models",
      "  tintype models --models /srv/models --json"
    })
final class ModelsCommand implements Callable<Integer> {
  @Mixin NodeOptions options;

  @Option(names = "--json", description = "One JSON array.")
  boolean json;

  @Override
  public Integer call() {
    ModelShelf shelf = ModelShelf.scan(options.read().models());
    if (json) {
      ArrayNode array = ApiClient.object().putArray("models");
      shelf.models().forEach(model -> add(array, model));
      shelf.broken().forEach(folder -> add(array, folder));
      System.out.println(array.toPrettyString());
    } else {
      print(shelf);
    }
    return shelf.models().isEmpty() ? Tintype.FAILED : 0;
  }

  private void print(ModelShelf shelf) {
    if (shelf.models().isEmpty() && shelf.broken().isEmpty()) {
      System.err.println(
          "No models in " + options.read().models().toAbsolutePath().normalize() + ".");
    }
    for (Model model : shelf.models()) {
      System.out.printf(
          "%-24s %9s  %dx%d, %d steps, %s%n",
          model.card().name(),
          ModelShelf.megabytes(model.bytes()),
          model.card().defaultSize().width(),
          model.card().defaultSize().height(),
          model.card().steps(),
          model.card().scheduler());
      System.out.println("    " + model.card().description());
    }
    for (Broken folder : shelf.broken()) {
      System.out.printf("%-24s cannot be used%n", folder.name());
      System.out.println("    [" + folder.reason().code() + "] " + folder.reason().getMessage());
    }
  }

  private static void add(ArrayNode array, Broken folder) {
    array
        .addObject()
        .put("name", folder.name())
        .put("folder", folder.folder().toString())
        .put("error", folder.reason().code())
        .put("detail", folder.reason().getMessage());
  }

  private static void add(ArrayNode array, Model model) {
    array
        .addObject()
        .put("name", model.card().name())
        .put("description", model.card().description())
        .put("folder", model.folder().toString())
        .put("bytes", model.bytes())
        .put("width", model.card().defaultSize().width())
        .put("height", model.card().defaultSize().height())
        .put("steps", model.card().steps())
        .put("guidance_scale", model.card().guidanceScale())
        .put("scheduler", model.card().scheduler());
  }
}
