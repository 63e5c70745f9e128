/**
 * The nouns of a job, as plain records, and the one state machine that says how a job may move.
 * Nothing in here does input or output or reads a clock by itself. The rules of {@link
 * dev.tintype.queue.job.JobStateMachine} are the only ones: the store asks it before it writes a
 * state.
 */
package dev.tintype.queue.job;
