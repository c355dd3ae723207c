"""`performance-optimizer`: what CloudFront asks at its edge before it looks into its cache (N4)."""
