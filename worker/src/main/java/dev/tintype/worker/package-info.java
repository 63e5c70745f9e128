/**
 * Leases jobs, runs their denoising steps on the engine and hands in the pictures. The unit of
 * scheduling is one step: between two steps samples are admitted and canceled, so a GPU never works
 * for nobody. Every write carries the lease's fence, and a worker that lost a lease drops its
 * result.
 *
 * <p>A job's way through it: {@code Intake} takes its wake-up (which engine: {@code Placement}) and
 * leases it; {@code JobOpener} reads what it starts from; {@code StepLoop} paints it, tick by tick
 * over {@code LoopJobs} ({@code MakingRoom}, {@code Admissions}, {@code BatchStep}, {@code
 * Decoding}); {@code JobScribe} has it written down ({@code PictureHandIn}, {@code LeasedWrites}),
 * while {@code JobWatch} keeps the lease. What is decided without I/O is pure: {@code StepPolicy},
 * {@code BatchSize}, {@code ResidentModels}.
 */
package dev.tintype.worker;
