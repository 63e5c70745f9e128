"""Every size in one place. `cpu` trains on two cores in about two hours; `gpu`, for one GPU, has not been run yet.

The denoiser is the same in both: with the text encoder and the autoencoder it fills the 60 MB (fp16) that the model may
have. A GPU gives it more pictures, wider batches, many more samples, and the autoencoder more channels."""

SCHEDULER = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.02,
                 beta_schedule="scaled_linear", prediction_type="v_prediction")

TEXT = dict(hidden_size=192, layers=4, heads=6)
UNET = dict(block_out_channels=[96, 192, 256], heads=[3, 6, 8], layers_per_block=1, attn=[True, True, True])

# vae: five levels, so that 16 x 16 pixels become one element of 16 channels: as many numbers as 8 x 8 and 4, on a grid
# that costs the denoiser a quarter. vae_crops: (side, crops in a batch, share of the batches). hold: the share of the
# training after which the learning rate falls in a line to nearly nothing.
CONFIGS = {
    "cpu": dict(
        pictures=20000, text=TEXT, unet=UNET,
        vae=dict(block_out_channels=[24, 32, 64, 128, 128], layers_per_block=1, latent_channels=16, norm_num_groups=8),
        vae_crops=[(64, 16, .45), (128, 4, .45), (256, 2, .1)], vae_lr=1.2e-3,
        batch=64, lr=2.5e-3, warmup=80, hold=.4, ema=0.996,
    ),
    "gpu": dict(
        pictures=60000, text=TEXT, unet=UNET,
        vae=dict(block_out_channels=[32, 64, 128, 128, 128], layers_per_block=1, latent_channels=16, norm_num_groups=8),
        vae_crops=[(128, 48, .7), (256, 16, .3)], vae_lr=1e-3,
        batch=256, lr=2.5e-3, warmup=200, hold=.4, ema=0.999,
    ),
}
