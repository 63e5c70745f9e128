package dev.tintype.worker;

import dev.tintype.queue.job.JobFailure;
import java.util.OptionalLong;

/** How a job leaves this worker. */
sealed interface Ending {
  /**
   * @param deviceMs what the job took of the device; empty where a part of it was another attempt's
   */
  record Succeed(int steps, OptionalLong deviceMs) implements Ending {}

  /**
   * @param goesOn whether another attempt may go on where this one was: the engine is not to blame
   */
  record Fail(JobFailure failure, boolean goesOn) implements Ending {}

  /** Its user withdrew it. */
  record Cancel() implements Ending {}

  /**
   * Another attempt goes on, without blame.
   *
   * @param preempted for a more urgent job
   */
  record GiveBack(boolean preempted) implements Ending {}

  /** The lease is lost: nothing may be written. */
  record Drop() implements Ending {}

  /** Whether another attempt may go on from the states that the pictures have reached. */
  default boolean handsOn() {
    return switch (this) {
      case GiveBack g -> true;
      case Fail fail -> fail.goesOn();
      case Succeed s -> false;
      case Cancel c -> false;
      case Drop d -> false;
    };
  }

  /** Whether pictures that are painted and not stored are of use to anybody after it. */
  default boolean keepsPictures() {
    return switch (this) {
      case Succeed s -> true;
      case GiveBack g -> true;
      case Fail f -> false;
      case Cancel c -> false;
      case Drop d -> false;
    };
  }
}
