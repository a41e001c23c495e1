{{ config(incremental_strategy='delete+insert', unique_key='id', incremental_predicates=["id > 0", "day < 100"]) }}
{{ new_events() }}
