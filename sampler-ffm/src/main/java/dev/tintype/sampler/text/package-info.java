/**
 * From prompt to token ids, exactly as CLIP's tokenizer does: byte-level byte-pair encoding over a
 * vocabulary that comes with the model. The ids are compared with those of transformers in the
 * golden cases.
 */
package dev.tintype.sampler.text;
