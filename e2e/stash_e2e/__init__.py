"""What the demo and the end-to-end tests share: a cluster with the chart installed, kubectl, and the main job."""
