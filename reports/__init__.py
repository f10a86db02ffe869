"""What people look at: heatmaps, tables, the HTML report."""
