/**
 * Diffusion schedulers as plain numbers: given a configuration and a number of steps, a plan of
 * timesteps and step coefficients, with no device and no tensor. Tables are those of diffusers:
 * rounded to fp32 where it rounds, so that timesteps and sigmas agree to the last digit;
 * coefficients are double.
 *
 * <p>Notation: a(t) is alphas_cumprod[t], the share of signal in variance at timestep t; b(t) = 1 -
 * a(t); sigma(t) = sqrt(b(t) / a(t)); lambda = -log(sigma); x0 is the predicted clean sample, eps
 * the predicted noise, v = sqrt(a) eps - sqrt(b) x0 the velocity.
 */
package dev.tintype.sampler.schedule;
