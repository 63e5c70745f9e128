package dev.tintype.worker.picture;

import dev.tintype.queue.job.JobSpec;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.picture.PngEncoder.Text;
import java.math.BigDecimal;
import java.util.List;
import java.util.StringJoiner;

/**
 * A picture's recipe as people and programs read it: the {@code parameters} text that Stable
 * Diffusion tools share, and XMP that says "made by a trained algorithm" (IPTC Digital Source
 * Type).
 */
public final class RecipeText {
  private static final String XMP =
      """
      <?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
      <x:xmpmeta xmlns:x="adobe:ns:meta/">
       <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description rdf:about=""
          xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
          xmlns:xmp="http://ns.adobe.com/xap/1.0/"
          xmp:CreatorTool="Tintype"
          Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/>
       </rdf:RDF>
      </x:xmpmeta>
      <?xpacket end="r"?>\
      """;

  private RecipeText() {}

  /** The text chunks of picture {@code index} of a job. */
  public static List<Text> of(JobSpec spec, int index, String scheduler, String modelHash) {
    return List.of(
        new Text("parameters", parameters(spec, index, scheduler, modelHash)),
        new Text("Software", "Tintype"),
        new Text("XML:com.adobe.xmp", XMP));
  }

  static String parameters(JobSpec spec, int index, String scheduler, String modelHash) {
    StringBuilder text = new StringBuilder(spec.prompt());
    if (!spec.negativePrompt().isEmpty()) {
      text.append("\nNegative prompt: ").append(spec.negativePrompt());
    }
    StringJoiner fields = new StringJoiner(", ");
    fields.add("Steps: " + spec.steps());
    fields.add("Sampler: " + scheduler);
    fields.add("CFG scale: " + plain(spec.guidanceScale()));
    fields.add("Seed: " + Engine.seed(spec, index));
    fields.add("Size: " + spec.width() + "x" + spec.height());
    if (!modelHash.isEmpty()) {
      fields.add("Model hash: " + modelHash);
    }
    fields.add("Model: " + spec.model());
    if (spec.guidanceRescale() != 0) {
      fields.add("CFG rescale: " + plain(spec.guidanceRescale()));
    }
    if (spec.eta() != 0) {
      fields.add("Eta: " + plain(spec.eta()));
    }
    if (spec.initImage().isPresent()) {
      fields.add("Denoising strength: " + plain(spec.strength()));
    }
    if (spec.clipSkip() != 0) {
      fields.add("Clip skip: " + spec.clipSkip());
    }
    return text.append('\n').append(fields).toString();
  }

  private static String plain(double value) {
    return new BigDecimal(Double.toString(value)).stripTrailingZeros().toPlainString();
  }
}
