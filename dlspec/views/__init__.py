"""What people look at: report, drawings, sentences, reference."""
