package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** The page as somebody uses it, in a real browser, over all real parts. */
@Tag("slow")
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StudioTest {
  private static final String LOADED =
      "const i = document.querySelector(arguments[0]); return !!i && i.complete && i.naturalWidth >"
          + " 0";

  private Path data;
  private Node node;
  private Browser page;

  @BeforeAll
  void start() throws IOException {
    page = new Browser();
    data = Homes.data();
    node = Node.open(PictureTest.config(data), (part, found) -> {}, () -> {});
  }

  @AfterAll
  void stop() throws IOException {
    if (node != null) {
      node.close();
      Homes.delete(data);
    }
    if (page != null) {
      page.close();
    }
  }

  /** As by the link that {@code serve} prints. */
  @BeforeEach
  void enter() {
    page.size(1200, 900);
    page.open("about:blank");
    page.open(node.url() + "/#key=" + node.apiKey().orElseThrow());
    page.await("models", it -> !it.all("#model option").isEmpty());
    page.complaints();
  }

  private void write(String prompt) {
    WebElement box = page.first("#prompt");
    box.clear();
    box.sendKeys(prompt);
  }

  private void develop(String prompt) {
    write(prompt);
    page.first("#prompt").sendKeys(Keys.chord(Keys.CONTROL, Keys.ENTER));
  }

  private void awaitPicture(String css) {
    page.await("a picture in " + css, it -> Boolean.TRUE.equals(it.script(LOADED, css)));
  }

  @Test
  void aPromptBecomesAPictureThatOpens() throws Exception {
    assertThat(page.address()).doesNotContain("tt_");
    develop("a red sun over snowy mountains, watercolor --seed 7 --steps 4");
    page.awaitText("#status", "Picture ready");
    awaitPicture(".plate .frame img");
    assertThat(page.script("return document.querySelector('.plate .frame img').currentSrc"))
        .asString()
        .contains("avif");
    assertThat(page.first(".plate .facts").getText()).contains("tintype-mini", "seed 7", "4 steps");
    page.show("picture");
    page.first(".plate .frame").click();
    awaitPicture("#viewer-picture img");
    assertThat(page.first("#viewer-original").getAttribute("href")).startsWith(node.url());
    page.show("viewer");
    page.first("#viewer-close").sendKeys(Keys.ESCAPE);
    page.await("the viewer's end", it -> it.all("dialog[open]").isEmpty());
    assertThat(page.complaints()).isEmpty();
  }

  @Test
  void picturesAreThereAfterAReload() {
    develop("a cactus in the desert --steps 2 --seed 5");
    page.awaitText(".plate .facts", "seed 5");
    page.reload();
    page.awaitText(".plate .plate-prompt", "a cactus in the desert");
    awaitPicture(".plate .frame img");
    assertThat(page.complaints()).isEmpty();
  }

  @Test
  void whatCannotBePaintedIsToldBesideThePromptThatStays() {
    develop("a boat --ar 0:1");
    page.awaitText("#composer-error", "(prompt.");
    assertThat(page.first("#prompt").getDomProperty("value")).isEqualTo("a boat --ar 0:1");
    develop("a boat --steps 2");
    page.awaitText("#status", "Picture ready");
    assertThat(page.first("#composer-error").isDisplayed()).isFalse();
  }

  @Test
  void aPictureOfOnesOwnIsStartedFromAndOnlyItsPartIsMadeAnew() throws Exception {
    BufferedImage photo = new BufferedImage(300, 200, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = photo.createGraphics();
    g.setColor(Color.GREEN);
    g.fillRect(0, 0, 300, 200);
    g.dispose();
    Path file = data.resolve("photo.png");
    ImageIO.write(photo, "png", file.toFile());
    page.first("#start-file").sendKeys(file.toString());
    page.await("the photo", it -> it.first("#start").isDisplayed());
    assertThat(page.first("input[name=ratio]:checked").getDomProperty("value")).isEqualTo("3:2");
    page.first("#start-mask").click();
    page.dragAcross("#mask-canvas");
    page.show("mask");
    page.first("#mask-dialog button[value=done]").click();
    page.awaitText("#start-mask", "Change the part");
    page.show("start");
    develop("a house --steps 4 --seed 3");
    page.awaitText("#status", "Picture ready");
    awaitPicture(".plate .frame img");
    assertThat(page.first(".plate .facts").getText()).contains("100 % anew");
    // The corner was not under the brush; lossy on the way through the autoencoder and AVIF.
    Object corner =
        page.script(
            "const i = document.querySelector('.plate .frame img'), c ="
                + " document.createElement('canvas'); c.width = c.height = 1;"
                + " c.getContext('2d').drawImage(i, 6, 6, 1, 1, 0, 0, 1, 1); const [r, g, b] ="
                + " c.getContext('2d').getImageData(0, 0, 1, 1).data; return g - Math.max(r, b)");
    assertThat((Long) corner).isGreaterThan(80L);
    page.first(".plate .vary").click();
    page.await("the plate's picture", it -> it.first("#start").isDisplayed());
    develop("a house in winter --steps 4 --seed 3");
    page.awaitText(".plate .facts", "60 % anew");
    page.awaitText("#status", "Picture ready: a house in winter");
    assertThat(page.complaints()).isEmpty();
    page.first("#start-clear").click();
    assertThat(page.first("#start").isDisplayed()).isFalse();
  }

  @Test
  void whatIsNoPictureIsNotTaken() throws Exception {
    Path file = Files.writeString(data.resolve("note.png"), "no picture");
    page.first("#start-file").sendKeys(file.toString());
    page.awaitText("#composer-error", "not a picture");
    assertThat(page.first("#start").isDisplayed()).isFalse();
  }

  @Test
  void aJobIsCanceled() {
    develop("a field --steps 150 --seed 2");
    page.awaitText(".plate .developing-text", "of 150");
    page.first(".plate .cancel").click();
    page.awaitText(".plate .plate-error", "Canceled.");
  }

  @Test
  void aWrongKeyIsAskedForAgain() throws Exception {
    page.script("sessionStorage.clear()");
    page.reload();
    page.await("the dialog", it -> it.first("#key-dialog").isDisplayed());
    page.show("key");
    page.first("#key").sendKeys("tt_0123456789abcdefghijklmnop", Keys.ENTER);
    page.awaitText("#key-error", "key");
    page.first("#key").sendKeys(node.apiKey().orElseThrow(), Keys.ENTER);
    page.await("models", it -> !it.all("#model option").isEmpty());
    assertThat(page.all("dialog[open]")).isEmpty();
  }

  @Test
  void aTelephoneSeesAllOfIt() throws Exception {
    page.size(390, 800);
    page.reload();
    page.await("models", it -> !it.all("#model option").isEmpty());
    page.assertFits();
    page.show("telephone");
  }
}
