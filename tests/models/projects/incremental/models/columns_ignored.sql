{{ config(unique_key='id') }}
{{ events(1) }}
