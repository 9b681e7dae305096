"""The same tokens whatever runs beside them: one model's busy days, compared with the plainest loop there is."""
