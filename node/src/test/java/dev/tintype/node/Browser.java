package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.stream.Stream;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.support.ui.WebDriverWait;

/**
 * A Chromium without a window. Where there is none a test is skipped, and with {@code
 * TINTYPE_TEST_TOOLS=required} it fails.
 */
final class Browser implements AutoCloseable {
  private static final Duration WAIT_MAX = Duration.ofMinutes(2);

  private final Path profile;
  private final ChromeDriver driver;

  Browser() throws IOException {
    String chromium = need("chromium", "chromium");
    String chromedriver = need("chromedriver", "chromium-driver");
    profile = Files.createTempDirectory("tintype-browser-");
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    ChromeOptions options = new ChromeOptions();
    options.setBinary(chromium);
    // Tests run as root in containers, where the sandbox and a large /dev/shm are missing.
    options.addArguments(
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--user-data-dir=" + profile);
    options.setCapability("goog:loggingPrefs", logs);
    driver =
        new ChromeDriver(
            new ChromeDriverService.Builder()
                .usingDriverExecutable(new File(chromedriver))
                .usingAnyFreePort()
                .build(),
            options);
    size(1200, 900);
  }

  private static String need(String name, String debianPackage) {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    Optional<String> found =
        Stream.of(path.split(File.pathSeparator))
            .filter(folder -> !folder.isBlank())
            .map(folder -> Path.of(folder, name))
            .filter(Files::isExecutable)
            .map(Path::toString)
            .findFirst();
    if (found.isPresent()) {
      return found.get();
    }
    String word = name + " is not installed: apt-get install " + debianPackage;
    if ("required".equals(System.getenv("TINTYPE_TEST_TOOLS"))) {
      throw new AssertionError(word);
    }
    return abort(word);
  }

  void size(int width, int height) {
    driver.manage().window().setSize(new Dimension(width, height));
  }

  void open(String url) {
    driver.get(url);
  }

  void reload() {
    driver.navigate().refresh();
  }

  String address() {
    return driver.getCurrentUrl();
  }

  WebElement first(String css) {
    return driver.findElement(By.cssSelector(css));
  }

  List<WebElement> all(String css) {
    return driver.findElements(By.cssSelector(css));
  }

  /** The result of {@code return ...} in the page. */
  Object script(String text, Object... arguments) {
    return driver.executeScript(text, arguments);
  }

  /** Waits until something is there. */
  <T> T await(String what, Function<Browser, T> condition) {
    return new WebDriverWait(driver, WAIT_MAX)
        .ignoring(StaleElementReferenceException.class)
        .withMessage(() -> what + "; the page says: " + first("body").getText())
        .until(any -> condition.apply(this));
  }

  /** Waits until the text of an element that is shown has these words. */
  void awaitText(String css, String words) {
    await(
        "'" + words + "' in " + css,
        page ->
            page.all(css).stream()
                .anyMatch(one -> one.isDisplayed() && one.getText().contains(words)));
  }

  /** Presses in the middle of an element, moves a fifth of its width, and lets go. */
  void dragAcross(String css) {
    WebElement element = first(css);
    new Actions(driver)
        .moveToElement(element)
        .clickAndHold()
        .moveByOffset(element.getSize().getWidth() / 5, 0)
        .release()
        .perform();
  }

  /** What the page's scripts complained of since the last call. */
  List<String> complaints() {
    return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
        .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
        .map(LogEntry::getMessage)
        .toList();
  }

  /** With {@code TINTYPE_SCREENS=FOLDER}, a picture of the page for somebody to look at. */
  void show(String name) throws IOException {
    String folder = System.getenv("TINTYPE_SCREENS");
    if (folder != null) {
      Files.createDirectories(Path.of(folder));
      Files.write(Path.of(folder, name + ".png"), driver.getScreenshotAs(OutputType.BYTES));
    }
  }

  /** Nothing sticks out to the right. */
  void assertFits() {
    assertThat(
            script(
                "return document.documentElement.scrollWidth -"
                    + " document.documentElement.clientWidth"))
        .isEqualTo(0L);
  }

  @Override
  public void close() throws IOException {
    driver.quit();
    Homes.delete(profile);
  }
}
