package dev.tintype.worker;

import dev.tintype.worker.engine.Engine;
import java.util.Set;

/** Makes engines on the loop's thread, where the device lives from then on. */
public interface EngineLoader extends AutoCloseable {
  /** The models that can be loaded. */
  Set<String> models();

  /** The engine of that model, loaded now unless it is resident. */
  Engine engine(String model);

  /** Closes the engines and their device. */
  @Override
  void close();
}
