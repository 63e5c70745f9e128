package dev.tintype.gateway;

/** What happens to a job that may wait for longer than its tier's bound. */
public enum AdmissionRule {
  /** It is accepted, and the answer says how long it is expected to wait. */
  OPEN,
  /** It is refused, so that the bound holds for those that were accepted. */
  BOUND
}
