package dev.tintype.gateway;

import java.util.List;
import java.util.Optional;

/**
 * The models that jobs may ask for. Called on the event loop: answers from memory, never blocks.
 */
public interface ModelCatalog {
  /** All models; the first is the default. May be empty while none is loaded. */
  List<ModelCard> models();

  /** The model of that exact name. */
  default Optional<ModelCard> find(String name) {
    return models().stream().filter(model -> model.name().equals(name)).findFirst();
  }

  /** A catalog that never changes. */
  static ModelCatalog of(List<ModelCard> models) {
    List<ModelCard> copy = List.copyOf(models);
    return () -> copy;
  }
}
