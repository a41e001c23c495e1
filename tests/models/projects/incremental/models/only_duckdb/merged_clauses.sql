{{ config(
    incremental_strategy='merge',
    unique_key='id',
    merge_clauses={
        'when_matched': [
            {'action': 'delete', 'condition': 'DBT_INTERNAL_SOURCE.id = 1'},
            {'action': 'update', 'mode': 'explicit', 'update': {'include': ['note'], 'set_expressions': {'day': '99'}}},
        ],
        'when_not_matched': [
            {'action': 'insert', 'mode': 'explicit', 'condition': ['DBT_INTERNAL_SOURCE.id > 2', 'true'],
             'insert': {'columns': ['id', 'note'], 'values': ['DBT_INTERNAL_SOURCE.id', "'only a note'"]}},
            {'action': 'do_nothing'},
        ],
    }
) }}
{{ new_events() }}
