/**
 * Breaks real processes of Tintype under load and checks what was promised: a seeded {@link
 * dev.tintype.perf.chaos.FaultPlan} kills, pauses and cuts off the members of a {@link
 * dev.tintype.perf.chaos.Cluster} while clients submit, follow and cancel; everything that they
 * were answered goes into a {@link dev.tintype.perf.chaos.History}, and the {@link
 * dev.tintype.perf.chaos.Checker} compares it with what the platform shows when the faults are
 * over.
 */
package dev.tintype.perf.chaos;
