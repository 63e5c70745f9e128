package dev.tintype.worker;

import dev.tintype.worker.engine.Engine;
import java.util.Optional;
import java.util.Set;

/** Makes engines on the loop's thread, where the device lives from then on. */
public interface EngineLoader extends AutoCloseable {
  /**
   * Memory of the device.
   *
   * @param totalBytes that models may take; 0 where it is not known
   * @param freeBytes of them that nothing takes
   */
  record Memory(long totalBytes, long freeBytes) {
    public static final Memory UNKNOWN = new Memory(0, 0);
  }

  /** The models that can be loaded. */
  Set<String> models();

  /**
   * The engine of that model, loaded now unless it is resident. Empty where room for it can only be
   * had from models that are busy: ask again when their jobs have ended.
   *
   * @param busy models that jobs run on; they stay
   * @throws WorkerException.Unsuitable worker.model, worker.model_too_large
   */
  Optional<Engine> engine(String model, Set<String> busy);

  /** A job of that model was taken. From any thread. */
  default void used(String model) {}

  /** The models that are loaded now. From any thread. */
  Set<String> resident();

  /** As of the last time that a model was loaded. From any thread. */
  default Memory memory() {
    return Memory.UNKNOWN;
  }

  /** Closes the engines and their device. */
  @Override
  void close();
}
