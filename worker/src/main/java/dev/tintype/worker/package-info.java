/**
 * Leases jobs, runs their denoising steps on the engine and hands in the pictures. The unit of
 * scheduling is one step: between two steps samples are admitted and canceled, so a GPU never works
 * for nobody. Every write carries the lease's fence, and a worker that lost a lease drops its
 * result.
 */
package dev.tintype.worker;
