{{ config(incremental_strategy='merge', unique_key='id', merge_exclude_columns=['NOTE'],
          incremental_predicates=['DBT_INTERNAL_DEST.id < 100']) }}
{{ new_events() }}
