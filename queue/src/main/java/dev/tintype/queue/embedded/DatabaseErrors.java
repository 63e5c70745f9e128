package dev.tintype.queue.embedded;

import dev.tintype.queue.QueueException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;
import java.util.List;
import java.util.Locale;

/**
 * Why the embedded server does not start, told from the operating system's errors and from the
 * server's own last words.
 */
final class DatabaseErrors {
  private DatabaseErrors() {}

  static QueueException inUse(Path folder) {
    return refused(
        "database.in_use",
        "Another process uses the database in "
            + folder
            + "; stop it, or choose another data folder with --data.",
        null);
  }

  static QueueException version(Path folder, String found, String wanted) {
    return refused(
        "database.version",
        "The database in "
            + folder
            + " is of PostgreSQL "
            + found
            + ", and this program runs "
            + wanted
            + "; start the Tintype that made it, or move its data over with pg_dump.",
        null);
  }

  static QueueException foreign(Path folder) {
    return refused(
        "database.folder",
        folder
            + " is not empty and holds no database of Tintype; choose an empty folder with --data.",
        null);
  }

  static QueueException io(String what, Exception e) {
    String text = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    if (e instanceof AccessDeniedException
        || e instanceof ReadOnlyFileSystemException
        || text.contains("read-only file system")
        || text.contains("permission denied")) {
      return readOnly(what, e);
    }
    if (text.contains("no space left") || text.contains("quota exceeded")) {
      return full(what, e);
    }
    return refused("database.io", "Cannot use " + what + ": " + e.getMessage(), e);
  }

  static QueueException readOnly(String what, Exception cause) {
    return refused(
        "database.read_only",
        "Cannot write to " + what + "; make it writable, or choose another with --data.",
        cause);
  }

  static QueueException full(String what, Exception cause) {
    return refused(
        "database.full",
        "The disk of " + what + " is full; free some space, or choose another data folder.",
        cause);
  }

  static QueueException root() {
    return refused(
        "database.root",
        "PostgreSQL does not run as root, and this machine allows neither a user namespace"
            + " (unshare) nor setpriv; start Tintype as an ordinary user.",
        null);
  }

  /** From the last lines of initdb or postgres. */
  static QueueException fromLog(Path folder, List<String> lines) {
    String text = String.join("\n", lines).toLowerCase(Locale.ROOT);
    if (text.contains("no space left on device")) {
      return full(folder.toString(), null);
    }
    if (text.contains("read-only file system") || text.contains("permission denied")) {
      return readOnly(folder.toString(), null);
    }
    if (text.contains("lock file") && text.contains("already exists")) {
      return inUse(folder);
    }
    if (text.contains("cannot be run as root") || text.contains("unshare failed")) {
      return root();
    }
    if (text.contains("cannot execute") || text.contains("error while loading shared libraries")) {
      return refused(
          "database.platform",
          "The built-in PostgreSQL does not run on this system: " + last(lines),
          null);
    }
    return refused(
        "database.start", "The database in " + folder + " does not start: " + last(lines), null);
  }

  private static String last(List<String> lines) {
    return String.join(" / ", lines.subList(Math.max(0, lines.size() - 5), lines.size()));
  }

  private static QueueException refused(String code, String message, Exception cause) {
    return new QueueException.Refused(code, message, cause instanceof IOException ? cause : null);
  }
}
