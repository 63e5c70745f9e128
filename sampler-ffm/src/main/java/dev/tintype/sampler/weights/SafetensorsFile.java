package dev.tintype.sampler.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One safetensors file, mapped into memory: eight bytes of header length (little-endian), a JSON
 * header from key to dtype, shape and byte range, then the data. The whole header is checked before
 * the data is mapped; ranges must lie in the file, fit their shape, and neither overlap nor leave
 * holes (as the format's own reader demands), so that a hostile file cannot alias or hide data.
 */
public final class SafetensorsFile implements AutoCloseable {
  /** The format's own limit on the header, in bytes. */
  static final long HEADER_BYTES_MAX = 100_000_000;

  /** The largest published checkpoints hold some thousands of tensors. */
  static final int TENSORS_MAX = 100_000;

  private static final int RANK_MAX = 8;
  private static final int KEY_CHARS_MAX = 1_000;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(8)
                  .maxNameLength(KEY_CHARS_MAX)
                  .maxNumberLength(20)
                  .build())
          .build();

  private final Path path;
  private final Arena arena;
  private final MemorySegment data;
  private final Map<String, Entry> entries;

  private record Entry(String key, DType dtype, Shape shape, long begin, long end) {}

  private SafetensorsFile(Path path, Arena arena, MemorySegment data, Map<String, Entry> entries) {
    this.path = path;
    this.arena = arena;
    this.data = data;
    this.entries = entries;
  }

  /**
   * Checks the header and maps the file.
   *
   * @throws WeightsException {@code weights.not_found}, {@code weights.unreadable}, {@code
   *     weights.truncated}, {@code weights.header} or {@code weights.dtype}
   */
  public static SafetensorsFile open(Path path) {
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long fileBytes = channel.size();
      long headerBytes = headerLength(path, channel, fileBytes);
      ByteBuffer header = ByteBuffer.allocate((int) headerBytes);
      readFully(channel, header, 8);
      Map<String, Entry> entries = parseHeader(path, header.array(), fileBytes - 8 - headerBytes);
      MemorySegment data =
          channel.map(
              FileChannel.MapMode.READ_ONLY, 8 + headerBytes, fileBytes - 8 - headerBytes, arena);
      return new SafetensorsFile(path, arena, data, entries);
    } catch (NoSuchFileException e) {
      arena.close();
      throw new WeightsException("weights.not_found", path + ": no such file", e);
    } catch (IOException e) {
      arena.close();
      throw new WeightsException(
          "weights.unreadable", path + ": cannot be read: " + e.getMessage(), e);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  private static long headerLength(Path path, FileChannel channel, long fileBytes)
      throws IOException {
    if (fileBytes < 8) {
      throw truncated(path, fileBytes + " bytes, too short for a safetensors header");
    }
    ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    readFully(channel, length, 0);
    long headerBytes = length.flip().getLong();
    if (headerBytes < 2 || headerBytes > HEADER_BYTES_MAX) {
      throw bad(
          path,
          "header length is "
              + Long.toUnsignedString(headerBytes)
              + " bytes, allowed are 2 to "
              + HEADER_BYTES_MAX
              + " (is this a safetensors file?)");
    }
    if (headerBytes > fileBytes - 8) {
      throw truncated(
          path, "header says " + headerBytes + " bytes, the file has " + (fileBytes - 8) + " left");
    }
    return headerBytes;
  }

  private static void readFully(FileChannel channel, ByteBuffer target, long position)
      throws IOException {
    while (target.hasRemaining()) {
      int count = channel.read(target, position + target.position());
      if (count < 0) {
        throw new IOException("end of file while reading the header");
      }
    }
  }

  private static Map<String, Entry> parseHeader(Path path, byte[] header, long dataBytes) {
    Map<String, Entry> entries = new LinkedHashMap<>();
    try (JsonParser json = JSON.createParser(header)) {
      require(path, json.nextToken() == JsonToken.START_OBJECT, "header is not a JSON object");
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String key = json.currentName();
        require(path, json.nextToken() == JsonToken.START_OBJECT, key + " is not an object");
        if (key.equals("__metadata__")) {
          json.skipChildren();
          continue;
        }
        require(path, entries.size() < TENSORS_MAX, "more than " + TENSORS_MAX + " tensors");
        entries.put(key, parseEntry(path, key, json, dataBytes));
      }
    } catch (IOException e) {
      throw new WeightsException(
          "weights.header", path + ": header is not valid JSON: " + firstLine(e), e);
    }
    checkCoverage(path, entries, dataBytes);
    return entries;
  }

  private static Entry parseEntry(Path path, String key, JsonParser json, long dataBytes)
      throws IOException {
    String dtypeName = null;
    long[] dims = null;
    long[] offsets = null;
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "dtype" -> dtypeName = json.getText();
        case "shape" -> dims = readLongs(path, key, json, RANK_MAX);
        case "data_offsets" -> offsets = readLongs(path, key, json, 2);
        default -> throw bad(path, key + " has an unknown field " + field);
      }
    }
    require(
        path,
        dtypeName != null && dims != null && offsets != null && offsets.length == 2,
        key + " lacks dtype, shape or data_offsets");
    DType dtype = dtype(path, key, dtypeName);
    Shape shape;
    long bytes;
    try {
      shape = Shape.of(dims);
      bytes = Math.multiplyExact(shape.elements(), dtype.bytes());
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw bad(path, key + ": " + e.getMessage());
    }
    if (offsets[0] < 0 || offsets[1] < offsets[0]) {
      throw bad(path, key + " lies at bytes " + offsets[0] + " to " + offsets[1]);
    }
    if (offsets[1] > dataBytes) {
      throw truncated(
          path, key + " ends at byte " + offsets[1] + " of the data, the file holds " + dataBytes);
    }
    require(
        path,
        offsets[1] - offsets[0] == bytes,
        key
            + " "
            + dtype
            + shape
            + " needs "
            + bytes
            + " bytes, its range has "
            + (offsets[1] - offsets[0]));
    return new Entry(key, dtype, shape, offsets[0], offsets[1]);
  }

  private static long[] readLongs(Path path, String key, JsonParser json, int limit)
      throws IOException {
    require(path, json.currentToken() == JsonToken.START_ARRAY, key + ": expected an array");
    long[] values = new long[limit];
    int count = 0;
    while (json.nextToken() != JsonToken.END_ARRAY) {
      require(path, count < limit, key + ": more than " + limit + " numbers");
      require(
          path,
          json.currentToken() == JsonToken.VALUE_NUMBER_INT,
          key + ": expected whole numbers");
      values[count++] = json.getLongValue();
    }
    return java.util.Arrays.copyOf(values, count);
  }

  private static DType dtype(Path path, String key, String name) {
    return switch (name) {
      case "F64" -> DType.F64;
      case "F32" -> DType.F32;
      case "F16" -> DType.F16;
      case "BF16" -> DType.BF16;
      case "I64" -> DType.I64;
      case "I32" -> DType.I32;
      case "U8", "BOOL" -> DType.U8;
      default ->
          throw new WeightsException(
              "weights.dtype",
              path
                  + ": "
                  + key
                  + " has element type "
                  + name
                  + "; supported are F64, F32, F16, BF16, I64, I32, U8");
    };
  }

  /** Ranges, in order, must meet each other and fill the data. */
  private static void checkCoverage(Path path, Map<String, Entry> entries, long dataBytes) {
    List<Entry> ordered = new ArrayList<>(entries.values());
    ordered.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long position = 0;
    for (Entry entry : ordered) {
      require(
          path,
          entry.begin == position,
          entry.key + " starts at byte " + entry.begin + " of the data, expected " + position);
      position = entry.end;
    }
    require(
        path,
        position == dataBytes,
        "tensors end at byte " + position + " of the data, the file holds " + dataBytes);
  }

  public Path path() {
    return path;
  }

  public Set<String> keys() {
    return java.util.Collections.unmodifiableSet(entries.keySet());
  }

  /** The tensor of that key, if there is one. Its memory is valid until this file is closed. */
  public Optional<HostTensor> find(String key) {
    Entry entry = entries.get(key);
    if (entry == null) {
      return Optional.empty();
    }
    return Optional.of(
        new HostTensor(
            key, entry.dtype, entry.shape, data.asSlice(entry.begin, entry.end - entry.begin)));
  }

  @Override
  public void close() {
    arena.close();
  }

  private static String firstLine(IOException e) {
    return e.getMessage().lines().findFirst().orElse("unreadable");
  }

  private static void require(Path path, boolean condition, String problem) {
    if (!condition) {
      throw bad(path, problem);
    }
  }

  private static WeightsException bad(Path path, String problem) {
    return new WeightsException("weights.header", path + ": " + problem);
  }

  private static WeightsException truncated(Path path, String problem) {
    return new WeightsException(
        "weights.truncated", path + ": truncated, download it again: " + problem);
  }
}
