package dev.tintype.edge;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The bytes of an original, in a file or in memory. */
public sealed interface OriginalImage {

  /** Size in bytes. */
  long size() throws IOException;

  /**
   * The first bytes, for telling the format.
   *
   * @param max how many at most
   */
  byte[] head(int max) throws IOException;

  /**
   * Copies all bytes into memory.
   *
   * @param room for {@link #size} bytes exactly
   * @throws EOFException when there are fewer by now
   */
  void read(MemorySegment room) throws IOException;

  /**
   * A file that does not change; it is sent with sendfile.
   *
   * @param path the file
   */
  record InFile(Path path) implements OriginalImage {
    @Override
    public long size() throws IOException {
      return Files.size(path);
    }

    @Override
    public byte[] head(int max) throws IOException {
      try (InputStream in = Files.newInputStream(path)) {
        return in.readNBytes(max);
      }
    }

    /**
     * Reads rather than maps: a mapped file that is cut short under libvips would end the process
     * with SIGBUS.
     */
    @Override
    public void read(MemorySegment room) throws IOException {
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
        ByteBuffer buffer = room.asByteBuffer();
        while (buffer.hasRemaining()) {
          if (channel.read(buffer) < 0) {
            throw new EOFException("the original became shorter while it was read");
          }
        }
      }
    }
  }

  /**
   * Bytes in memory; they are not copied, so they must not change.
   *
   * @param bytes the whole file
   */
  @SuppressWarnings("ArrayRecordComponent")
  record InMemory(byte[] bytes) implements OriginalImage {
    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public byte[] head(int max) {
      return java.util.Arrays.copyOf(bytes, Math.min(max, bytes.length));
    }

    @Override
    public void read(MemorySegment room) {
      MemorySegment.copy(MemorySegment.ofArray(bytes), 0, room, 0, bytes.length);
    }
  }
}
