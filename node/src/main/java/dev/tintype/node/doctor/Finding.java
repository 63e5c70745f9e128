package dev.tintype.node.doctor;

/**
 * One line of a diagnosis.
 *
 * @param what was looked at
 * @param found in words
 * @param advice what to do, empty where all is well
 */
public record Finding(String what, Verdict verdict, String found, String advice) {
  /** How bad it is. */
  public enum Verdict {
    OK,
    /** Works, but slower or with less; or a part that this machine need not have. */
    NOTE,
    /** No picture can be made like this. */
    MISSING
  }

  static Finding ok(String what, String found) {
    return new Finding(what, Verdict.OK, found, "");
  }

  static Finding note(String what, String found, String advice) {
    return new Finding(what, Verdict.NOTE, found, advice);
  }

  static Finding missing(String what, String found, String advice) {
    return new Finding(what, Verdict.MISSING, found, advice);
  }
}
