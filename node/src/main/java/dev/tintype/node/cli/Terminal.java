package dev.tintype.node.cli;

import java.io.PrintStream;
import java.util.Locale;

/**
 * Shows progress: one line that redraws itself on a terminal, plain lines elsewhere. The launcher
 * says in {@code TINTYPE_TTY} whether standard error is a terminal, and how wide.
 */
final class Terminal {
  private static final int BAR_MAX = 40;
  private static final int WIDTH_MIN = 40;

  private final PrintStream err;
  private final boolean live;
  private final int width;
  private boolean drawn;
  private int shown = -1;

  Terminal(PrintStream err, String tty) {
    this.err = err;
    this.live = tty != null && !tty.isEmpty();
    this.width = live ? parse(tty) : 80;
  }

  private static int parse(String columns) {
    try {
      return Math.max(WIDTH_MIN, Integer.parseInt(columns.strip()));
    } catch (NumberFormatException e) {
      return 80;
    }
  }

  /** One line that stays. */
  void line(String text) {
    clear();
    err.println(text);
  }

  /** What is going on now, without a figure. */
  void status(String text) {
    if (live) {
      String line = "  " + text;
      draw(line.substring(0, Math.min(line.length(), width - 1)));
    }
  }

  /** {@code painting [#####.....] 5/20 1.2 s}. */
  void progress(String what, int step, int steps, double seconds) {
    String tail = String.format(Locale.ROOT, " %d/%d  %.1f s", step, steps, seconds);
    if (!live) {
      // Every fifth of the way: a log wants to know that it goes on, not each step.
      int fifth = steps == 0 ? 0 : step * 5 / steps;
      if (fifth != shown) {
        shown = fifth;
        err.println(what + tail);
      }
      return;
    }
    int room = Math.min(BAR_MAX, width - what.length() - tail.length() - 6);
    int filled = steps == 0 ? 0 : (int) ((long) room * step / steps);
    draw(
        "  "
            + what
            + " "
            + "━".repeat(filled)
            + "\u001b[2m"
            + "━".repeat(Math.max(0, room - filled))
            + "\u001b[0m"
            + tail);
  }

  private void draw(String text) {
    err.print("\r\u001b[K" + text);
    err.flush();
    drawn = true;
  }

  /** Takes the redrawn line away. */
  void clear() {
    if (drawn) {
      err.print("\r\u001b[K");
      err.flush();
      drawn = false;
    }
  }
}
