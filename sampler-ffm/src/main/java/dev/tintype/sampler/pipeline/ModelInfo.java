package dev.tintype.sampler.pipeline;

/**
 * What is known of a loaded model.
 *
 * @param name of its folder
 * @param pipelineClass class of model_index.json
 * @param latentChannels of its VAE
 * @param sizeGranularity width and height of pictures are multiples of this, in pixels
 * @param nativeWidth the width it was trained for, in pixels
 * @param nativeHeight likewise
 * @param defaultScheduler name of the scheduler that its folder asks for
 * @param textTokens how many tokens of a prompt it reads, begin and end included
 * @param inpainting whether its UNet was trained with a mask (9 input channels)
 * @param weightBytes on the device
 * @param hash SHA-256 over the names and contents of its weight files, lower-case hex
 */
public record ModelInfo(
    String name,
    String pipelineClass,
    int latentChannels,
    int sizeGranularity,
    int nativeWidth,
    int nativeHeight,
    String defaultScheduler,
    int textTokens,
    boolean inpainting,
    long weightBytes,
    String hash) {}
