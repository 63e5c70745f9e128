package dev.tintype.sampler.weights;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.sampler.config.JsonFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * All tensors of one model folder (unet/, vae/, text_encoder/...): a single safetensors file or
 * shards named by an index. Tensors stay valid until it is closed.
 */
public final class Checkpoint implements WeightSource, AutoCloseable {
  /** File names that diffusers and transformers write, full precision first. */
  private static final List<String> STEMS =
      List.of("diffusion_pytorch_model", "model", "diffusion_pytorch_model.fp16", "model.fp16");

  private static final int SHARDS_MAX = 1_000;

  private final List<SafetensorsFile> files;
  private final Map<String, SafetensorsFile> fileOfKey;

  private Checkpoint(List<SafetensorsFile> files, Map<String, SafetensorsFile> fileOfKey) {
    this.files = files;
    this.fileOfKey = fileOfKey;
  }

  /**
   * Opens a folder, or a single file.
   *
   * @throws WeightsException {@code weights.not_found} when there is no checkpoint, {@code
   *     weights.index} when an index is wrong, and the codes of {@link SafetensorsFile#open}
   */
  public static Checkpoint open(Path folderOrFile) {
    if (Files.isRegularFile(folderOrFile)) {
      return ofFiles(List.of(folderOrFile));
    }
    for (String stem : STEMS) {
      Path single = folderOrFile.resolve(stem + ".safetensors");
      if (Files.exists(single)) {
        return ofFiles(List.of(single));
      }
      Path index = folderOrFile.resolve(stem + ".safetensors.index.json");
      if (Files.exists(index)) {
        return sharded(index);
      }
    }
    throw new WeightsException(
        "weights.not_found",
        folderOrFile
            + ": no safetensors weights here; expected one of "
            + STEMS.stream().map(stem -> stem + ".safetensors").toList()
            + " or an .index.json of shards"
            + (hasPickle(folderOrFile)
                ? " (a .bin or .ckpt file is here: convert it, pickled weights are not read)"
                : ""));
  }

  private static boolean hasPickle(Path folder) {
    String[] names = folder.toFile().list((dir, name) -> name.matches(".*\\.(bin|ckpt|pt|pth)"));
    return names != null && names.length > 0;
  }

  /** The files of a checkpoint folder, for hashing. */
  public List<Path> paths() {
    return files.stream().map(SafetensorsFile::path).toList();
  }

  private static Checkpoint sharded(Path index) {
    JsonNode map = JsonFile.read(index).path("weight_map");
    if (!map.isObject() || map.isEmpty()) {
      throw new WeightsException("weights.index", index + ": has no weight_map");
    }
    Set<String> names = new LinkedHashSet<>();
    map.forEach(name -> names.add(name.asText()));
    if (names.size() > SHARDS_MAX) {
      throw new WeightsException(
          "weights.index", index + ": " + names.size() + " shards, at most " + SHARDS_MAX);
    }
    for (String name : names) {
      if (!name.matches("[A-Za-z0-9._-]+\\.safetensors")) {
        throw new WeightsException(
            "weights.index", index + ": '" + name + "' is not a plain safetensors file name");
      }
    }
    Path folder = index.toAbsolutePath().getParent();
    Checkpoint checkpoint = ofFiles(names.stream().map(folder::resolve).toList());
    try {
      map.fields()
          .forEachRemaining(
              entry -> {
                SafetensorsFile file = checkpoint.fileOfKey.get(entry.getKey());
                if (file == null || !file.path().endsWith(entry.getValue().asText())) {
                  throw new WeightsException(
                      "weights.index",
                      index
                          + ": says "
                          + entry.getKey()
                          + " is in "
                          + entry.getValue().asText()
                          + ", but it is not");
                }
              });
      return checkpoint;
    } catch (RuntimeException e) {
      checkpoint.close();
      throw e;
    }
  }

  private static Checkpoint ofFiles(List<Path> paths) {
    SafetensorsFile[] opened = new SafetensorsFile[paths.size()];
    Map<String, SafetensorsFile> fileOfKey = new LinkedHashMap<>();
    try {
      for (int i = 0; i < opened.length; i++) {
        SafetensorsFile file = SafetensorsFile.open(paths.get(i));
        opened[i] = file;
        for (String key : file.keys()) {
          SafetensorsFile other = fileOfKey.put(key, file);
          if (other != null) {
            throw new WeightsException(
                "weights.index", file.path() + ": " + key + " is also in " + other.path());
          }
        }
      }
    } catch (RuntimeException e) {
      Arrays.stream(opened).filter(file -> file != null).forEach(SafetensorsFile::close);
      throw e;
    }
    return new Checkpoint(List.of(opened), fileOfKey);
  }

  @Override
  public Set<String> keys() {
    return java.util.Collections.unmodifiableSet(fileOfKey.keySet());
  }

  @Override
  public boolean contains(String key) {
    return fileOfKey.containsKey(key);
  }

  /** The tensor of that key in whatever shape it has. */
  public HostTensor get(String key) {
    SafetensorsFile file = fileOfKey.get(key);
    if (file == null) {
      throw new WeightsException(
          "weights.missing",
          paths() + ": no tensor " + key + closest(key) + "; is this the right model folder?");
    }
    return file.find(key).orElseThrow();
  }

  @Override
  public HostTensor get(String key, long... expectedShape) {
    HostTensor tensor = get(key);
    if (!Arrays.equals(tensor.shape().dims(), expectedShape)) {
      throw new WeightsException(
          "weights.shape",
          fileOfKey.get(key).path()
              + ": "
              + key
              + " has shape "
              + tensor.shape()
              + ", config.json asks for "
              + Arrays.toString(expectedShape));
    }
    return tensor;
  }

  /** Names the key that shares the longest beginning, the usual slip. */
  private String closest(String key) {
    TreeMap<Integer, String> byLength = new TreeMap<>();
    for (String candidate : fileOfKey.keySet()) {
      int common = 0;
      int limit = Math.min(candidate.length(), key.length());
      while (common < limit && candidate.charAt(common) == key.charAt(common)) {
        common++;
      }
      byLength.putIfAbsent(common, candidate);
    }
    return byLength.isEmpty() ? "" : " (closest: " + byLength.lastEntry().getValue() + ")";
  }

  @Override
  public WeightSource below(String prefix) {
    return new Below(this, prefix + ".");
  }

  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }

  private record Below(Checkpoint checkpoint, String prefix) implements WeightSource {
    @Override
    public Set<String> keys() {
      Set<String> below = new LinkedHashSet<>();
      for (String key : checkpoint.keys()) {
        if (key.startsWith(prefix)) {
          below.add(key.substring(prefix.length()));
        }
      }
      return below;
    }

    @Override
    public boolean contains(String key) {
      return checkpoint.contains(prefix + key);
    }

    @Override
    public HostTensor get(String key, long... expectedShape) {
      return checkpoint.get(prefix + key, expectedShape);
    }

    @Override
    public WeightSource below(String deeper) {
      return new Below(checkpoint, prefix + deeper + ".");
    }
  }
}
