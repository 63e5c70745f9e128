"""Every size in one place. `cpu` trains on two cores in about an hour, `gpu` on one GPU in about 25 minutes."""

SCHEDULER = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.02,
                 beta_schedule="scaled_linear", prediction_type="v_prediction")

CONFIGS = {
    "cpu": dict(
        pictures=14000,
        vae=dict(block_out_channels=[32, 32, 64, 128], layers_per_block=1, latent_channels=4, norm_num_groups=8),
        text=dict(hidden_size=192, layers=4, heads=6),
        unet=dict(block_out_channels=[64, 96, 192], heads=[2, 3, 6], layers_per_block=1, attn=[False, True, True]),
        vae_crops=[(64, 12, .6), (128, 4, .34), (256, 2, .06)], vae_lr=1e-3, vae_steps=100000,
        batch=8, low_res=.28, lr=9e-4, warmup=100, ema=0.996,
    ),
    "gpu": dict(
        pictures=60000,
        vae=dict(block_out_channels=[32, 64, 128, 128], layers_per_block=1, latent_channels=8, norm_num_groups=8),
        text=dict(hidden_size=256, layers=4, heads=8),
        unet=dict(block_out_channels=[96, 192, 320], heads=[3, 6, 10], layers_per_block=1, attn=[False, True, True]),
        vae_crops=[(128, 32, .7), (256, 12, .3)], vae_lr=8e-4, vae_steps=100000,
        batch=192, low_res=.2, lr=6e-4, warmup=500, ema=0.9995,
    ),
}
