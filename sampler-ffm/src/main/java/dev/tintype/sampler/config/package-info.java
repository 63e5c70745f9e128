/**
 * JSON files of a model folder (config.json, model_index.json, scheduler_config.json), read with
 * limits because they are untrusted. Values are asked for by name and type; a wrong one is an error
 * that names file and key. Keys that the engine does not use are left alone, as diffusers does.
 */
package dev.tintype.sampler.config;
