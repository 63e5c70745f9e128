package dev.tintype.gateway.testing;

import dev.tintype.gateway.ModelCard;
import dev.tintype.gateway.ModelCatalog;
import dev.tintype.gateway.prompt.Size;
import java.util.List;

/** Two models to ask for. */
public final class Models {
  public static final ModelCard MINI =
      new ModelCard(
          "tintype-mini",
          "Small pictures, quickly.",
          new Size(256, 256),
          128,
          512,
          512L * 512,
          32,
          20,
          5,
          0,
          "ddim",
          List.of("ddim", "euler"),
          0);

  public static final ModelCard LARGE =
      new ModelCard(
          "large/one",
          "Large pictures, slowly.",
          new Size(1024, 1024),
          512,
          2048,
          2048L * 1024,
          64,
          30,
          7.5,
          0.7,
          "euler",
          List.of("euler", "dpmpp-2m"),
          2);

  public static final ModelCatalog CATALOG = ModelCatalog.of(List.of(MINI, LARGE));

  private Models() {}
}
