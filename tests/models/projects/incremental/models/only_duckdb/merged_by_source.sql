{{ config(
    incremental_strategy='merge',
    unique_key='id',
    merge_clauses={
        'when_matched': [{'action': 'update', 'mode': 'star'}],
        'when_not_matched': [
            {'action': 'insert', 'mode': 'by_position'},
            {'action': 'update', 'by': 'source', 'condition': 'DBT_INTERNAL_DEST.id = 1', 'set_expressions': {'note': "'gone'"}},
            {'action': 'delete', 'by': 'source'},
        ],
    }
) }}
{{ new_events() }}
