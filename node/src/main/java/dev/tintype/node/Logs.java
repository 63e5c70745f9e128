package dev.tintype.node;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.ConsoleHandler;
import java.util.logging.ErrorManager;
import java.util.logging.FileHandler;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** One line per record on the console, and a bounded set of files with stack traces. */
public final class Logs {
  private static final int FILE_BYTES_MAX = 8 << 20;
  private static final int FILES_MAX = 4;

  /** Held here: a logger that nobody holds is forgotten, and its level with it. */
  private static final Map<Logger, Level> QUIET =
      Map.of(
          Logger.getLogger("com.zaxxer.hikari"), Level.WARNING,
          Logger.getLogger("org.postgresql"), Level.SEVERE,
          Logger.getLogger("io.netty"), Level.SEVERE,
          Logger.getLogger("io.lettuce"), Level.SEVERE,
          Logger.getLogger("org.apache.kafka"), Level.SEVERE,
          // A refused login at each try.
          Logger.getLogger("org.apache.kafka.clients.NetworkClient"), Level.OFF,
          Logger.getLogger("software.amazon.awssdk"), Level.SEVERE);

  private Logs() {}

  /** Before a data folder is known: warnings of ours on the console, nothing else. */
  public static void console(Level level) {
    Logger root = Logger.getLogger("");
    for (Handler handler : root.getHandlers()) {
      root.removeHandler(handler);
      handler.close();
    }
    ConsoleHandler console = new ConsoleHandler();
    console.setLevel(level);
    console.setFormatter(new Line(false));
    root.addHandler(console);
    root.setLevel(Level.INFO);
    // These tell at INFO and WARNING what our own messages say better.
    QUIET.forEach(Logger::setLevel);
  }

  /** Everything at INFO and above into {@code folder/tintype.N.log}. */
  public static void files(Path folder) {
    try {
      FileHandler files =
          new FileHandler(
              folder.resolve("tintype.%g.log").toString(), FILE_BYTES_MAX, FILES_MAX, true);
      files.setLevel(Level.INFO);
      files.setFormatter(new Line(true));
      files.setErrorManager(new Complaint());
      Logger.getLogger("").addHandler(files);
    } catch (IOException e) {
      throw new NodeException.Start(
          "data.read_only", "The log in " + folder + " cannot be written: " + IoReason.of(e), e);
    }
  }

  /** One line, once, where a log cannot be written; it goes on by itself when there is room. */
  private static final class Complaint extends ErrorManager {
    private final AtomicBoolean said = new AtomicBoolean();

    @Override
    public void error(String message, Exception cause, int code) {
      if (said.compareAndSet(false, true)) {
        String reason = cause instanceof IOException io ? IoReason.of(io) : String.valueOf(cause);
        System.err.println("tintype: the log cannot be written (" + reason + ")");
      }
    }
  }

  /** {@code 12:01:02.345 WARNING Worker: message}, with the stack trace below where asked. */
  private static final class Line extends Formatter {
    private static final DateTimeFormatter TIME =
        DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneId.systemDefault());
    private static final DateTimeFormatter DAY =
        DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS").withZone(ZoneId.systemDefault());

    private final boolean whole;

    Line(boolean whole) {
      this.whole = whole;
    }

    @Override
    public String format(LogRecord record) {
      String name = record.getLoggerName() == null ? "" : record.getLoggerName();
      String line =
          "%s %s %s: %s%n"
              .formatted(
                  (whole ? DAY : TIME).format(record.getInstant()),
                  record.getLevel().getName(),
                  name.substring(name.lastIndexOf('.') + 1),
                  formatMessage(record));
      if (record.getThrown() == null) {
        return line;
      }
      StringWriter trace = new StringWriter();
      if (whole) {
        record.getThrown().printStackTrace(new PrintWriter(trace));
      }
      return line + trace;
    }
  }
}
