package dev.tintype.edge.variant;

/**
 * An original that is ready to be sent, and holds room in memory until it was.
 *
 * @param served the picture
 * @param giveBack harmless the second time
 */
public record Lent(Served served, Runnable giveBack) implements AutoCloseable {
  @Override
  public void close() {
    giveBack.run();
  }
}
