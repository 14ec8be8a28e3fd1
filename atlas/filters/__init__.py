"""The filter language: one line such as `density<1e-4 tok:Lily -dead sort:-max`, read without a database."""
