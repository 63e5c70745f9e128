package dev.tintype.sampler.golden;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.sampler.config.JsonFile;
import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.weights.Checkpoint;
import dev.tintype.sampler.weights.HostTensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** One case, opened: its settings, what goes in and what came out of diffusers. */
final class GoldenCase implements AutoCloseable {
  /** How much wider tolerances are where activations are stored in 16 bits. */
  private static final double HALF_PRECISION_FACTOR = 200;

  private final Path root;
  private final JsonNode json;
  private final Device device;
  private final Optional<Checkpoint> inputs;
  private final Optional<Checkpoint> expected;

  private GoldenCase(
      Path root,
      JsonNode json,
      Device device,
      Optional<Checkpoint> inputs,
      Optional<Checkpoint> expected) {
    this.root = root;
    this.json = json;
    this.device = device;
    this.inputs = inputs;
    this.expected = expected;
  }

  static GoldenCase open(Path root, Path folder, JsonNode json, Device device) {
    Optional<Checkpoint> inputs = tensors(folder.resolve("inputs.safetensors"));
    try {
      return new GoldenCase(
          root, json, device, inputs, tensors(folder.resolve("expected.safetensors")));
    } catch (RuntimeException e) {
      inputs.ifPresent(Checkpoint::close);
      throw e;
    }
  }

  private static Optional<Checkpoint> tensors(Path file) {
    return Files.exists(file) ? Optional.of(Checkpoint.open(file)) : Optional.empty();
  }

  JsonNode json() {
    return json;
  }

  Device device() {
    return device;
  }

  Ops ops() {
    return device.ops();
  }

  /** The folder of the case's model. */
  Path model() {
    String name = text("model");
    if (!name.matches("[A-Za-z0-9._/-]+") || name.contains("..") || name.startsWith("/")) {
      throw new GoldenException("model is '" + name + "', expected a folder under models/");
    }
    return root.resolve("models").resolve(name);
  }

  String text(String key) {
    JsonNode value = json.path(key);
    if (!value.isTextual()) {
      throw new GoldenException(key + " is missing in case.json");
    }
    return value.textValue();
  }

  int integer(String key) {
    JsonNode value = json.path(key);
    if (!value.canConvertToInt()) {
      throw new GoldenException(key + " is missing in case.json, or not a whole number");
    }
    return value.intValue();
  }

  List<String> texts(String key) {
    List<String> values = new ArrayList<>();
    json.path(key).forEach(v -> values.add(v.asText()));
    return values;
  }

  /** The tolerance of that name for the precision of the device. */
  double tolerance(String key) {
    JsonNode value = json.path("tolerance").path(key);
    if (!value.isNumber()) {
      throw new GoldenException("tolerance." + key + " is missing in case.json");
    }
    return value.doubleValue() * (ops().dtype() == DType.F32 ? 1 : HALF_PRECISION_FACTOR);
  }

  private static Checkpoint present(Optional<Checkpoint> file, String name) {
    return file.orElseThrow(() -> new GoldenException(name + " is missing"));
  }

  HostTensor input(String key) {
    return present(inputs, "inputs.safetensors").get(key);
  }

  boolean hasInput(String key) {
    return inputs.isPresent() && inputs.get().contains(key);
  }

  HostTensor expected(String key) {
    return present(expected, "expected.safetensors").get(key);
  }

  boolean expects(String key) {
    return expected.isPresent() && expected.get().contains(key);
  }

  /** Keys of the expected tensors that start with {@code prefix}, in the order of their numbers. */
  List<String> expectedKeys(String prefix) {
    return expected.stream()
        .flatMap(file -> file.keys().stream())
        .filter(key -> key.startsWith(prefix))
        .sorted(Comparator.comparing(String::length).thenComparing(Comparator.naturalOrder()))
        .toList();
  }

  /** An input of [n, c, h, w] on the device, as [n, h, w, c]. */
  Tensor image(String key) {
    return image(input(key));
  }

  Tensor image(HostTensor host) {
    if (host.shape().rank() != 4) {
      throw new GoldenException(host.key() + " is " + host.shape() + ", expected 4 dimensions");
    }
    try (Tensor nchw = ops().upload(host.toFloats(), host.shape())) {
      return ops().toNhwc(nchw);
    }
  }

  /** Any other input on the device. */
  Tensor tensor(String key) {
    HostTensor host = input(key);
    return ops().upload(host.toFloats(), host.shape());
  }

  /** An [n, h, w, c] tensor as the values of [n, c, h, w]. */
  float[] nchw(Tensor nhwc) {
    try (Tensor nchw = ops().toNchw(nhwc)) {
      return ops().download(nchw);
    }
  }

  @Override
  public void close() {
    inputs.ifPresent(Checkpoint::close);
    expected.ifPresent(Checkpoint::close);
  }

  /** Reads case.json of a case folder. */
  static JsonNode readJson(Path folder) {
    JsonNode json = JsonFile.read(folder.resolve("case.json"));
    if (!json.path("kind").isTextual()) {
      throw new GoldenException("kind is missing in case.json");
    }
    return json;
  }
}
