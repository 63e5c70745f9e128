package dev.tintype.sampler.golden;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.sampler.SamplerException;
import dev.tintype.sampler.device.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Runs every case below a folder of golden vectors:
 *
 * <pre>
 *   models/NAME/            a model or a whole pipeline as diffusers writes it
 *   cases/NAME/case.json    kind, model, settings, tolerance
 *   cases/NAME/inputs.safetensors, expected.safetensors
 * </pre>
 *
 * Kinds: scheduler, guidance, tokenizer, text_encoder, unet, vae, txt2img, img2img, inpaint,
 * safety_checker, upscaler. A case that is missing something, or of an unknown kind, fails with the
 * reason.
 */
public final class GoldenRunner {
  private final Path root;
  private final Device device;

  public GoldenRunner(Path root, Device device) {
    this.root = root;
    this.device = device;
  }

  /** Runs all cases in the order of their names, telling each row as it is done. */
  public List<GoldenRow> run(Consumer<GoldenRow> listener) {
    List<GoldenRow> rows = new ArrayList<>();
    for (Path folder : cases()) {
      GoldenRow row = run(folder);
      rows.add(row);
      listener.accept(row);
    }
    if (rows.isEmpty()) {
      rows.add(GoldenRow.failed("-", root.toString(), 0, "no cases below " + root));
      listener.accept(rows.getFirst());
    }
    return rows;
  }

  /** The case folders, sorted; a DIR that is itself a case is one. */
  public List<Path> cases() {
    Path cases = root.resolve("cases");
    if (!Files.isDirectory(cases)) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(cases)) {
      return folders.filter(Files::isDirectory).sorted().toList();
    } catch (IOException e) {
      throw new GoldenException(cases + " cannot be listed: " + e.getMessage());
    }
  }

  /** Runs one case. Never throws for what is wrong with the case. */
  public GoldenRow run(Path folder) {
    String name = folder.getFileName().toString();
    String kind = "-";
    long start = System.nanoTime();
    try {
      JsonNode json = GoldenCase.readJson(folder);
      kind = json.get("kind").textValue();
      Comparison comparison = new Comparison();
      try (GoldenCase c = GoldenCase.open(root, folder, json, device)) {
        run(kind, c, comparison);
      }
      return comparison.row(kind, name, millisecondsSince(start));
    } catch (SamplerException e) {
      String reason = e.code() + ": " + e.getMessage();
      return GoldenRow.failed(kind, name, millisecondsSince(start), reason);
    } catch (RuntimeException e) {
      // A case of a form that nobody thought of; the others still run.
      return GoldenRow.failed(kind, name, millisecondsSince(start), e.toString());
    }
  }

  private static void run(String kind, GoldenCase c, Comparison comparison) {
    switch (kind) {
      case "scheduler" -> SamplingCases.scheduler(c, comparison);
      case "guidance" -> SamplingCases.guidance(c, comparison);
      case "tokenizer" -> SamplingCases.tokenizer(c, comparison);
      case "text_encoder" -> NetworkCases.textEncoder(c, comparison);
      case "unet" -> NetworkCases.unet(c, comparison);
      case "vae" -> NetworkCases.vae(c, comparison);
      case "txt2img" -> PipelineCases.textToImage(c, comparison);
      case "img2img" -> PipelineCases.imageToImage(c, comparison);
      case "inpaint" -> PipelineCases.inpaint(c, comparison);
      case "safety_checker" -> NetworkCases.safetyChecker(c, comparison);
      case "upscaler" -> NetworkCases.upscaler(c, comparison);
      default -> throw new GoldenException("kind " + kind + " is not known");
    }
  }

  private static double millisecondsSince(long start) {
    return (System.nanoTime() - start) / 1e6;
  }
}
