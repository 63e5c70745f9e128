package dev.tintype.queue.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class JobStateMachineTest {
  /**
   * All allowed moves, written down a second time and by state: whoever changes one table must
   * change both.
   */
  private static final Map<JobState, Map<JobAction, JobState>> ALLOWED =
      Map.of(
          JobState.QUEUED,
          Map.of(
              JobAction.LEASE, JobState.LEASED,
              JobAction.FAIL, JobState.FAILED,
              JobAction.CANCEL, JobState.CANCELED,
              JobAction.EXPIRE, JobState.EXPIRED),
          JobState.LEASED,
          Map.of(
              JobAction.START, JobState.RUNNING,
              JobAction.RETRY, JobState.QUEUED,
              JobAction.LAPSE, JobState.QUEUED,
              JobAction.RELEASE, JobState.QUEUED,
              JobAction.PREEMPT, JobState.QUEUED,
              JobAction.FAIL, JobState.FAILED,
              JobAction.CANCEL, JobState.CANCELED,
              JobAction.EXPIRE, JobState.EXPIRED,
              JobAction.BURY, JobState.DEAD),
          JobState.RUNNING,
          Map.of(
              JobAction.SUCCEED, JobState.SUCCEEDED,
              JobAction.RETRY, JobState.QUEUED,
              JobAction.LAPSE, JobState.QUEUED,
              JobAction.RELEASE, JobState.QUEUED,
              JobAction.PREEMPT, JobState.QUEUED,
              JobAction.FAIL, JobState.FAILED,
              JobAction.CANCEL, JobState.CANCELED,
              JobAction.EXPIRE, JobState.EXPIRED,
              JobAction.BURY, JobState.DEAD),
          JobState.SUCCEEDED,
          Map.of(),
          JobState.FAILED,
          Map.of(),
          JobState.CANCELED,
          Map.of(),
          JobState.EXPIRED,
          Map.of(),
          JobState.DEAD,
          Map.of(JobAction.REDRIVE, JobState.QUEUED));

  @Test
  void everyPairOfStateAndActionIsAsWrittenDown() {
    for (JobState from : JobState.values()) {
      for (JobAction action : JobAction.values()) {
        assertThat(JobStateMachine.next(from, action))
            .as("%s in %s", action, from)
            .isEqualTo(Optional.ofNullable(ALLOWED.get(from).get(action)));
      }
      assertThat(JobStateMachine.actions(from)).isEqualTo(ALLOWED.get(from).keySet());
    }
  }

  @Test
  void everyStateCanBeReachedAndLeftUnlessItIsAnEnd() {
    Set<JobState> reached = EnumSet.of(JobState.QUEUED);
    for (int round = 0; round < JobState.values().length; round++) {
      for (JobState from : EnumSet.copyOf(reached)) {
        JobStateMachine.actions(from)
            .forEach(action -> reached.add(JobStateMachine.target(action)));
      }
    }
    assertThat(reached).containsExactlyInAnyOrder(JobState.values());
    for (JobState state : JobState.values()) {
      boolean leaves = !JobStateMachine.actions(state).isEmpty();
      assertThat(leaves).as("%s", state).isEqualTo(!state.terminal() || state == JobState.DEAD);
    }
  }

  @Test
  void onlyALeasedJobCanSucceedOrBeBlamed() {
    for (JobAction action :
        Set.of(
            JobAction.SUCCEED,
            JobAction.RETRY,
            JobAction.LAPSE,
            JobAction.RELEASE,
            JobAction.PREEMPT,
            JobAction.BURY)) {
      assertThat(JobStateMachine.sources(action)).allMatch(JobState::leased);
    }
  }

  @Test
  void wireNamesComeBack() {
    for (JobState state : JobState.values()) {
      assertThat(JobState.ofWire(state.wire())).isEqualTo(state);
    }
    for (EventType type : EventType.values()) {
      assertThat(EventType.ofWire(type.wire())).isEqualTo(type);
    }
    assertThat(EventType.CANCEL_REQUESTED.wire()).isEqualTo("cancel_requested");
  }
}
