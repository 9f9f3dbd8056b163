"""How true a prediction is: resampling, performance, calibration, net benefit, baselines."""
