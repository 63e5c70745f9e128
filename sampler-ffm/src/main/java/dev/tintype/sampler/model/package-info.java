/**
 * The networks of a Stable Diffusion pipeline, each read from a folder as diffusers and
 * transformers write it: a config record that validates itself, and a model that reads top to
 * bottom. What a config.json asks for and the engine does not have is an error that names key and
 * value. A model owns its weights on the device and is closed by who loaded it.
 */
package dev.tintype.sampler.model;
