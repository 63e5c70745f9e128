package dev.tintype.worker.picture;

import dev.tintype.worker.engine.Picture;
import java.io.IOException;

/** Makes pixels of a file that a stranger sent. */
@FunctionalInterface
public interface PictureDecoder {
  /**
   * The picture, or its middle in a size from which width x height can be scaled.
   *
   * @param background grey value, 0 to 255, behind what is transparent
   * @throws IOException or any RuntimeException, where the file is damaged
   */
  Picture decode(byte[] file, int width, int height, int background) throws IOException;
}
