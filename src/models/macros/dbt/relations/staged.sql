{# The steps of a replacement that never leaves the name empty: build beside, move the old aside, move the new in. #}

{%- macro get_create_intermediate_sql(relation, sql) -%}
    {%- do log('CREATE of what will be ' ~ relation) -%}
    {{ adapter.dispatch('get_create_intermediate_sql', 'dbt')(relation, sql) }}
{%- endmacro -%}

{%- macro default__get_create_intermediate_sql(relation, sql) -%}
    {%- set staged = make_intermediate_relation(relation) -%}
    {{ get_drop_sql(staged) }};

    {{ get_create_sql(staged, sql) }}
{%- endmacro -%}

{%- macro get_rename_intermediate_sql(relation) -%}
    {%- do log('RENAME of what is to be ' ~ relation) -%}
    {{ adapter.dispatch('get_rename_intermediate_sql', 'dbt')(relation) }}
{%- endmacro -%}

{%- macro default__get_rename_intermediate_sql(relation) -%}
    {{ get_rename_sql(make_intermediate_relation(relation), relation.identifier) }}
{%- endmacro -%}

{%- macro get_create_backup_sql(relation) -%}
    {%- do log('RENAME to a backup of ' ~ relation) -%}
    {{ adapter.dispatch('get_create_backup_sql', 'dbt')(relation) }}
{%- endmacro -%}

{%- macro default__get_create_backup_sql(relation) -%}
    {%- set backup = make_backup_relation(relation, relation.type) -%}
    {{ get_drop_sql(backup) }};

    {{ get_rename_sql(relation, backup.identifier) }}
{%- endmacro -%}

{%- macro get_drop_backup_sql(relation) -%}
    {%- do log('DROP of the backup of ' ~ relation) -%}
    {{ adapter.dispatch('get_drop_backup_sql', 'dbt')(relation) }}
{%- endmacro -%}

{%- macro default__get_drop_backup_sql(relation) -%}
    {{ get_drop_sql(make_backup_relation(relation, relation.type)) }}
{%- endmacro -%}
