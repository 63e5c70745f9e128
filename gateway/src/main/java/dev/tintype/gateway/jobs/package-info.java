/**
 * The job API. {@link dev.tintype.gateway.jobs.SubmitBody} reads what a client sent, {@link
 * dev.tintype.gateway.jobs.Recipes} joins it with the prompt's parameters and the model's card to a
 * recipe, and {@link dev.tintype.gateway.jobs.JobJson} shows a job. {@link
 * dev.tintype.gateway.jobs.JobsApi} has the handlers.
 */
package dev.tintype.gateway.jobs;
